"""The same function on a Ray cluster: nothing else knows of Ray."""
