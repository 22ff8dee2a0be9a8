"""How it is told: tables and prose made from saved results; nothing is computed here."""
