"""What a Keras user would pick instead: models of the keras.io examples, with labels added.

Written anew from the examples' descriptions; architectures, losses and settings are theirs.
"""
