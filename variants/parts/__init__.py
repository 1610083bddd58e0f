"""What generators are made of: trunks, slot attention, mask heads, layers, initial weights."""
