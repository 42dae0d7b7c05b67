"""HTTP API: the contract's endpoints over the tasks."""
