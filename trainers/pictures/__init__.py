"""The pictures that programs work on: given ones, held-out ones, generated ones."""
