"""Any number of photos into a table of Parquet files, on one machine or a Ray cluster."""
