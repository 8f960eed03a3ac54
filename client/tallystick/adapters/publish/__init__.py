"""What a reserve report looks like to its readers: paper, charts and pages, all made of the document's bytes alone."""
