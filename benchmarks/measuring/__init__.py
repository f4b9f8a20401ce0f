"""What every benchmark measures with: figures, memory, photos, where it runs, its report."""
