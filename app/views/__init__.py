"""What is seen. Views show the session and say what the user wants; they compute nothing."""
