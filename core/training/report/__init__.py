"""What people look at after training and measuring: pages, plots and sheets of photos."""
