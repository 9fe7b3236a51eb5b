"""What several data sets read: files, archives, boxes, people, tensorflow-datasets."""
