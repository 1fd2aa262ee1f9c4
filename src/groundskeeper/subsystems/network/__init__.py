"""Links, addresses, routes and the gateway's reachability, over rtnetlink."""
