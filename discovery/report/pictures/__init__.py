"""Pictures of a report: what they show, how it is drawn with Matplotlib, and as SVG on a page."""
