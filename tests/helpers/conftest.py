# A program that a test starts: PyTorch and TensorFlow do not always share a process.
collect_ignore = ["compare_with_torch.py"]
