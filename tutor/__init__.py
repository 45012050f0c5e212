"""A tutor for the LLM concepts that people mix up: grounded answers and live experiments."""
