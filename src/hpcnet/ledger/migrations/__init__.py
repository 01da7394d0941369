"""How the schema of the ledger came to be; run by `hpcnet.ledger.upgrade`."""
