"""The look in Gradio's own terms: system fonts, quiet greys, one accent; the rest is in style.css."""

import json
from importlib.resources import files

import gradio as gr

from .texts import TEXTS

_SANS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Helvetica Neue", "Arial", "sans-serif"]
_MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace"]


def theme() -> gr.themes.Base:
    """Fonts come from the machine, so that a page asks nobody else for anything."""
    look = gr.themes.Base(font=_SANS, font_mono=_MONO, radius_size=gr.themes.sizes.radius_md)
    colours = {
        "body_background_fill": ("#ffffff", "#151618"),
        "body_text_color": ("#1c1e21", "#e7e7e4"),
        "body_text_color_subdued": ("#5a5f66", "#a6abb2"),
        "background_fill_primary": ("#ffffff", "#151618"),
        "background_fill_secondary": ("#f6f6f4", "#1c1e20"),
        "border_color_primary": ("#deded9", "#34373b"),
        "border_color_accent": ("#2457a6", "#8fb8f6"),
        "color_accent_soft": ("#e9eff9", "#22304a"),
        "link_text_color": ("#2457a6", "#8fb8f6"),
        "link_text_color_hover": ("#173d78", "#b5d0fb"),
        "link_text_color_visited": ("#2457a6", "#8fb8f6"),
        "block_background_fill": ("#ffffff", "#1c1e20"),
        "block_border_color": ("#deded9", "#34373b"),
        "block_label_text_color": ("#5a5f66", "#a6abb2"),
        "block_title_text_color": ("#1c1e21", "#e7e7e4"),
        "block_info_text_color": ("#5a5f66", "#a6abb2"),
        "input_background_fill": ("#ffffff", "#1c1e20"),
        "input_border_color": ("#8b9098", "#6d737b"),
        "input_border_color_focus": ("#2457a6", "#8fb8f6"),
        "input_placeholder_color": ("#5f656d", "#a0a6ad"),
        "button_primary_background_fill": ("#2457a6", "#8fb8f6"),
        "button_primary_background_fill_hover": ("#1c4788", "#aac9f9"),
        "button_primary_text_color": ("#ffffff", "#10151d"),
        "button_secondary_background_fill": ("#f0f0ed", "#2a2d30"),
        "button_secondary_background_fill_hover": ("#e5e5e1", "#34373b"),
        "button_secondary_text_color": ("#1c1e21", "#e7e7e4"),
        "code_background_fill": ("#f3f3f0", "#202326"),
    }
    values = {key: light for key, (light, _) in colours.items()}
    values |= {f"{key}_dark": dark for key, (_, dark) in colours.items()}
    return look.set(
        color_accent="#2457a6", block_shadow="none", block_border_width="0px", button_primary_shadow="none", **values
    )


def css() -> str:
    return (files(__package__) / "style.css").read_text(encoding="utf-8")


def head() -> str:
    """The script of both pages with the words it needs."""
    words = {
        "language": TEXTS.language,
        "close": TEXTS.close,
        "cancel": TEXTS.cancel,
        "copied": TEXTS.copied,
        "notCopied": TEXTS.not_copied,
        "signIn": TEXTS.sign_in,
        "signedOut": TEXTS.signed_out,
        "offline": TEXTS.offline,
        "keysOn": TEXTS.keys_on,
        "keysOff": TEXTS.keys_off,
        "notYet": TEXTS.not_yet,
    }
    spoken = json.dumps(words).replace("<", "\\u003c")
    script = (files(__package__) / "page.js").read_text(encoding="utf-8")
    return f"<script>window.errataWords = {spoken};</script>\n<script>{script}</script>"
