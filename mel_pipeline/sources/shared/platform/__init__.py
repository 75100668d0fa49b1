"""What all platforms share: rows of metrics, periods to ask for, budgets. No HTTP, no platform by name here."""
