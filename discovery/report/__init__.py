"""What is said of the findings: text, page, pictures, numbers."""
