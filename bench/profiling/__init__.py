"""What a training step of a variant costs: operations counted, time and memory measured, where they go."""
