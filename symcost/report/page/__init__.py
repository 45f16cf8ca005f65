"""The page: one HTML file whose sliders evaluate the closed forms in the browser, exactly, without a network or a server."""
