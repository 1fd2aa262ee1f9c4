"""The machine's resolver: which name servers it asks, and whether they answer."""
