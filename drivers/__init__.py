"""One driver per protocol: each knows the locks of one kind of radio and none of the other drivers."""
