"""HTTP in: the contract's endpoints over the tasks."""
