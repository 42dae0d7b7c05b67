"""What goes over the wire: envelopes, requests, records, callbacks, signatures. Models and pure functions only."""
