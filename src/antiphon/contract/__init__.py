"""The wire format: envelopes, requests, records, callbacks, signatures. Models and pure functions only."""
