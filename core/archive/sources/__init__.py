"""Where an archive's photos lie: listing them, and bringing their bytes."""
