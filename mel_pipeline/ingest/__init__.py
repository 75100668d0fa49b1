"""One load: extract, judge, publish. Rows on their way in: corrections, pseudonyms, quarantine, identity of cities."""
