"""What is known of how far images can be trusted, and what can be asked about them."""
