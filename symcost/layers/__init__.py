"""Layers as the lectures write them: shapes, parameters, MACs, in symbols everywhere; composed by hand."""
