"""Flax models of the package transformers as it published them, in the sizes of their configurations; each needs it."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import jax.numpy as jnp

from zoo.case import Case

PACKAGE = "transformers"
OLDER = ("t5",)
"""Families that were written for a jax whose ``clip`` named its limits otherwise."""


def made(family: str, module: str, config: str, /, **sizes: Any) -> Any:
    """A module of one of its families, with a configuration of its own."""
    found = import_module(f"transformers.models.{family}.modeling_flax_{family}")
    if family in OLDER:
        found.jnp = SimpleNamespace(**{name: getattr(jnp, name) for name in dir(jnp)})
        found.jnp.clip = lambda x, a_min=None, a_max=None: jnp.clip(x, a_min, a_max)
    return getattr(found, f"Flax{module}Module")(getattr(import_module("transformers"), f"{config}Config")(**sizes))


def gpt2(V: int, d: int, L: int, H: int) -> Any:
    """GPT-2."""
    return made("gpt2", "GPT2LMHead", "GPT2", vocab_size=V, n_embd=d, n_layer=L, n_head=H)


def bert(V: int, d: int, L: int, H: int, f: int) -> Any:
    """BERT with its masked language model's head."""
    return made("bert", "BertForMaskedLM", "Bert", vocab_size=V, hidden_size=d, num_hidden_layers=L,
                num_attention_heads=H, intermediate_size=f)  # fmt: skip


def roberta(V: int, d: int, L: int, H: int, f: int) -> Any:
    """RoBERTa."""
    return made("roberta", "RobertaForMaskedLM", "Roberta", vocab_size=V, hidden_size=d, num_hidden_layers=L,
                num_attention_heads=H, intermediate_size=f)  # fmt: skip


def electra(V: int, d: int, L: int, H: int, f: int) -> Any:
    """ELECTRA with embeddings of 128."""
    return made("electra", "ElectraForMaskedLM", "Electra", vocab_size=V, embedding_size=128, hidden_size=d,
                num_hidden_layers=L, num_attention_heads=H, intermediate_size=f)  # fmt: skip


def distilbert(V: int, d: int, L: int, H: int, f: int) -> Any:
    """DistilBERT."""
    return made("distilbert", "DistilBertForMaskedLM", "DistilBert", vocab_size=V, dim=d, n_layers=L, n_heads=H,
                hidden_dim=f)  # fmt: skip


def albert(V: int, e: int, d: int, L: int, H: int, f: int) -> Any:
    """ALBERT: one layer, used L times."""
    return made("albert", "AlbertForMaskedLM", "Albert", vocab_size=V, embedding_size=e, hidden_size=d,
                num_hidden_layers=L, num_attention_heads=H, intermediate_size=f)  # fmt: skip


def vit(k: int, d: int, L: int, H: int, f: int) -> Any:
    """ViT of images of 16 k pixels a side."""
    return made("vit", "ViTForImageClassification", "ViT", image_size=16 * k, hidden_size=d, num_hidden_layers=L,
                num_attention_heads=H, intermediate_size=f)  # fmt: skip


def dinov2(d: int, L: int, H: int) -> Any:
    """DINOv2, whose table of positions is resampled to the image."""
    return made("dinov2", "Dinov2ForImageClassification", "Dinov2", hidden_size=d, num_hidden_layers=L,
                num_attention_heads=H)  # fmt: skip


def clip_text(V: int, d: int, L: int, H: int, f: int) -> Any:
    """CLIP's text encoder."""
    return made("clip", "CLIPText", "CLIPText", vocab_size=V, hidden_size=d, num_hidden_layers=L,
                num_attention_heads=H, intermediate_size=f)  # fmt: skip


def clip_vision(d: int, L: int, H: int, f: int) -> Any:
    """CLIP's image encoder."""
    return made("clip", "CLIPVision", "CLIPVision", hidden_size=d, num_hidden_layers=L, num_attention_heads=H,
                intermediate_size=f)  # fmt: skip


def gptj(V: int, d: int, L: int, H: int) -> Any:
    """GPT-J with rotations of 16 entries of each head."""
    return made("gptj", "GPTJForCausalLM", "GPTJ", vocab_size=V, n_embd=d, n_layer=L, n_head=H, rotary_dim=16)


def gpt_neo(V: int, d: int, H: int) -> Any:
    """GPT-Neo, every second layer of which is local."""
    return made("gpt_neo", "GPTNeoForCausalLM", "GPTNeo", vocab_size=V, hidden_size=d, num_layers=4, num_heads=H,
                attention_types=[[["global", "local"], 2]])  # fmt: skip


def llama(V: int, d: int, L: int, H: int, K: int, f: int) -> Any:
    """LLaMA with K heads of keys and values."""
    return made("llama", "LlamaForCausalLM", "Llama", vocab_size=V, hidden_size=d, num_hidden_layers=L,
                num_attention_heads=H, num_key_value_heads=K, intermediate_size=f)  # fmt: skip


def mistral(V: int, d: int, L: int, H: int, K: int, f: int) -> Any:
    """Mistral with positions to 2,048."""
    return made("mistral", "MistralForCausalLM", "Mistral", vocab_size=V, hidden_size=d, num_hidden_layers=L,
                num_attention_heads=H, num_key_value_heads=K, intermediate_size=f, max_position_embeddings=2048)  # fmt: skip


def gemma(V: int, d: int, L: int, H: int, h: int, f: int) -> Any:
    """Gemma with heads of h, and one of keys and values."""
    return made("gemma", "GemmaForCausalLM", "Gemma", vocab_size=V, hidden_size=d, num_hidden_layers=L,
                num_attention_heads=H, num_key_value_heads=1, head_dim=h, intermediate_size=f, hidden_act="gelu",
                hidden_activation="gelu_pytorch_tanh")  # fmt: skip


def opt(V: int, d: int, L: int, H: int, f: int) -> Any:
    """OPT."""
    return made("opt", "OPTForCausalLM", "OPT", vocab_size=V, hidden_size=d, word_embed_proj_dim=d,
                num_hidden_layers=L, num_attention_heads=H, ffn_dim=f)  # fmt: skip


def bart(V: int, d: int, L: int, H: int, f: int) -> Any:
    """BART."""
    return made("bart", "BartForConditionalGeneration", "Bart", vocab_size=V, d_model=d, encoder_layers=L,
                decoder_layers=L, encoder_attention_heads=H, decoder_attention_heads=H, encoder_ffn_dim=f,
                decoder_ffn_dim=f)  # fmt: skip


def blenderbot(V: int, d: int, L: int, H: int, f: int) -> Any:
    """BlenderBot."""
    return made("blenderbot", "BlenderbotForConditionalGeneration", "Blenderbot", vocab_size=V, d_model=d,
                encoder_layers=L, decoder_layers=L, encoder_attention_heads=H, decoder_attention_heads=H,
                encoder_ffn_dim=f, decoder_ffn_dim=f)  # fmt: skip


def roformer(V: int, d: int, L: int, H: int, f: int) -> Any:
    """RoFormer, whose rotations are made number by number."""
    return made("roformer", "RoFormerForMaskedLM", "RoFormer", vocab_size=V, hidden_size=d, embedding_size=d,
                num_hidden_layers=L, num_attention_heads=H, intermediate_size=f)  # fmt: skip


def roberta_prelayernorm(V: int, d: int, L: int, H: int, f: int) -> Any:
    """RoBERTa that normalises before each layer."""
    return made("roberta_prelayernorm", "RobertaPreLayerNormForMaskedLM", "RobertaPreLayerNorm", vocab_size=V,
                hidden_size=d, num_hidden_layers=L, num_attention_heads=H, intermediate_size=f)  # fmt: skip


def big_bird(V: int, d: int, L: int, H: int, f: int) -> Any:
    """BigBird with attention to all positions."""
    return made("big_bird", "BigBirdForMaskedLM", "BigBird", vocab_size=V, hidden_size=d, num_hidden_layers=L,
                num_attention_heads=H, intermediate_size=f, attention_type="original_full")  # fmt: skip


def t5(V: int, d: int, L: int, H: int, f: int, k: int) -> Any:
    """T5 with heads of k."""
    return made("t5", "T5ForConditionalGeneration", "T5", vocab_size=V, d_model=d, num_layers=L, num_decoder_layers=L,
                num_heads=H, d_ff=f, d_kv=k)  # fmt: skip


def whisper(V: int, d: int, L: int, H: int, f: int) -> Any:
    """Whisper, whose positions are waves in pairs."""
    return made("whisper", "WhisperForConditionalGeneration", "Whisper", vocab_size=V, d_model=d, encoder_layers=L,
                decoder_layers=L, encoder_attention_heads=H, decoder_attention_heads=H, encoder_ffn_dim=f,
                decoder_ffn_dim=f)  # fmt: skip


def wav2vec2(d: int, L: int, H: int, f: int) -> Any:
    """wav2vec 2.0 in the order of layers that Flax has of it."""
    return made("wav2vec2", "Wav2Vec2", "Wav2Vec2", hidden_size=d, num_hidden_layers=L, num_attention_heads=H,
                intermediate_size=f, num_conv_pos_embedding_groups=1, do_stable_layer_norm=True,
                feat_extract_norm="layer")  # fmt: skip


def resnet(w: int) -> Any:
    """ResNet of two blocks a stage."""
    return made("resnet", "ResNetForImageClassification", "ResNet", embedding_size=w,
                hidden_sizes=[4 * w, 8 * w, 16 * w, 32 * w], depths=[2, 2, 2, 2])  # fmt: skip


TOKENS, OTHERS, IMAGES = "int32[n,N]", "int32[n,M]", "float32[n,224,224,3]"
BASE = dict(n=2, N=96, V=30522, d=768, L=12, H=12, f=3072)
SHALLOW = dict(n=1, N=33, V=100, d=48, L=1, H=3, f=80)
UNMASKED = {"head_mask": None}


def _without(point: dict[str, int], *names: str, **more: int) -> dict[str, int]:
    return {**{name: value for name, value in point.items() if name not in names}, **more}


def _case(factory: Any, specs: tuple[str, ...], *without: str, call: Any = None, **more: int) -> Case:
    return Case(factory.__name__, factory, specs, _without(BASE, *without, **more),
                _without(SHALLOW, *without, **more), call or {})  # fmt: skip


CASES = [
    _case(gpt2, (TOKENS,) * 3, "f"),
    _case(bert, (TOKENS,) * 4, call=UNMASKED),
    _case(roberta, (TOKENS,) * 4, call=UNMASKED),
    _case(electra, (TOKENS,) * 4, call=UNMASKED),
    _case(distilbert, (TOKENS,) * 2),
    _case(albert, (TOKENS,) * 4, e=128),
    _case(vit, ("float32[n,16*k,16*k,3]",), "N", "V", k=14),
    _case(dinov2, ("float32[n,r,r,3]",), "N", "V", "f", r=448),
    _case(clip_text, (TOKENS,) * 3, N=60),
    _case(clip_vision, (IMAGES,), "N", "V"),
    _case(gptj, (TOKENS,) * 3, "f"),
    _case(gpt_neo, (TOKENS,) * 3, "f", "L"),
    _case(llama, (TOKENS,) * 3, K=3),
    _case(mistral, (TOKENS,) * 3, K=3),
    _case(gemma, (TOKENS,) * 3, h=64),
    _case(opt, (TOKENS,) * 3),
    _case(bart, (TOKENS, TOKENS, OTHERS, OTHERS, TOKENS, OTHERS), M=50),
    _case(blenderbot, (TOKENS, TOKENS, OTHERS, OTHERS, TOKENS, OTHERS), M=50),
    _case(roformer, (TOKENS,) * 3, call=UNMASKED),
    _case(roberta_prelayernorm, (TOKENS,) * 4, call=UNMASKED),
    _case(big_bird, (TOKENS,) * 4, call=UNMASKED),
    _case(t5, (TOKENS, TOKENS, OTHERS, OTHERS), M=50, k=64),
    _case(whisper, ("float32[n,80,3000]", OTHERS, OTHERS, OTHERS), "N", M=50),
    _case(wav2vec2, ("float32[n,N]",), "V", N=16_000),
    _case(resnet, ("float32[n,r,r,3]",), "N", "V", "d", "L", "H", "f", r=224, w=64),
]
