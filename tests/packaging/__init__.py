"""What hassfest and HACS look at, and more, without either of them."""
