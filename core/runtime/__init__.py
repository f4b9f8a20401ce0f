"""What every command runs on: the terminal, threads, native libraries, the service manager."""
