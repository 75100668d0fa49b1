"""What all platforms share: rows of metrics, periods to request, budgets. No HTTP, no platform by name here."""
