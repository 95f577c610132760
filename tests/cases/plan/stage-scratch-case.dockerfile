# rule: stage.scratch
FROM Scratch
