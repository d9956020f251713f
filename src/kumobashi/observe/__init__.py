"""What is going on: structured logs and metrics, without any resident's data.

``logs`` writes one JSON object a line; ``metrics`` renders Prometheus text.
"""
