"""What a message wants besides an answer: experiments with their settings, small talk, orders; by patterns and by meaning."""
