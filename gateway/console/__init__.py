"""The words of `passband gateway`, by what they are about; gateway/cli.py reads the line and hands over."""
