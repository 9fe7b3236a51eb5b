"""How a trained model is measured beside real pictures."""
