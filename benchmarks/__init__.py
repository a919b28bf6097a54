"""How fast Byname is, measured over real HTTP beside the peers it wants to beat."""
