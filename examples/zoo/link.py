import wandb
run = wandb.init(entity="smle-reg-team-2", project="zoo_experiment")
artifact = wandb.Artifact(name="zoo_dataset", type="dataset")
artifact.add_file(local_path="zoo_dataset.pt", name="zoo_dataset")
artifact.add_file(local_path="zoo_labels.pt", name="zoo_labels")
REGISTRY_NAME, COLLECTION_NAME = "Model", "Zoo_Classifier_Models"
target_path = f"wandb-registry-{REGISTRY_NAME}/{COLLECTION_NAME}"
run.link_artifact(artifact=artifact, target_path=target_path, aliases=["production-us", "production-eu"])
