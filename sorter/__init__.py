"""Files photos into a folder for each class, once or as they come."""
