"""What the programs that apply a trained model compute, measure and draw."""
