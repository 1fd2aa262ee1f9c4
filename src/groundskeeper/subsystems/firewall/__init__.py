"""Our own table in nftables: sources that are refused for a while, and nothing of anybody else's."""
