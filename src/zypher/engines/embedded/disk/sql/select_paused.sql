SELECT model FROM paused
