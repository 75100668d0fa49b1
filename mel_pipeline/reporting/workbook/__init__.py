"""An edition as an XLSX workbook."""
