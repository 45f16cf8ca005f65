"""The certificate: fresh traces, and XLA's own count."""
