"""What the tutor knows: concept files, their pictures, and the index over them."""
