"""SadTalker, made new: a photographed face that speaks, with the official checkpoints."""
