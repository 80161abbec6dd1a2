"""What models of hearing and of listeners say, each a package of the extra `perceptual`, in processes of their own."""
