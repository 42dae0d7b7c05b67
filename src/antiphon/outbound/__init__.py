"""Outbound connections to addresses that strangers name: which may be dialled, and how."""
