"""One load: extract, check, publish. Incoming rows: corrections, pseudonyms, quarantine, matching of cities."""
