"""Photo claims: which photo belongs to which guests, and until when."""
