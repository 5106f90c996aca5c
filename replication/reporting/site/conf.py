"""Sphinx's configuration of the site; `build` adds the title, which only a run knows."""

extensions = ["myst_nb", "replication.reporting.site.extension"]
project = "replication"
language = "en"
default_role = "code"
smartquotes = False

# Executed notebooks are shown as they are. The staged copies hold plain text, images and safe HTML only.
nb_execution_mode = "off"
nb_merge_streams = True
nb_mime_priority_overrides = [
    ("html", "text/html", 0),
    ("html", "image/png", 1),
    ("html", "image/jpeg", 2),
    ("html", "text/plain", 3),
]
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_enable_extensions = ["dollarmath", "amsmath"]
# Markdown of a notebook formats; it embeds no HTML and calls nothing.
myst_disable_syntax = ["html_block", "html_inline", "myst_role"]
myst_heading_anchors = 3

html_theme = "furo"
templates_path = ["theme"]
html_math_renderer = "mathml"
html_static_path = ["static", "../view.css", "../kept_sets.js"]
html_css_files = ["view.css", "site.css"]
html_js_files = ["kept_sets.js", "site.js"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
html_use_index = False
html_domain_indices = False
html_last_updated_fmt = None
html_theme_options = {
    "top_of_page_buttons": [],
    "light_css_variables": {
        "color-brand-primary": "#0b57a4",
        "color-brand-content": "#0b57a4",
        "font-stack": "system-ui, -apple-system, Segoe UI, Roboto, sans-serif",
    },
    "dark_css_variables": {"color-brand-primary": "#7fb8f0", "color-brand-content": "#7fb8f0"},
}
