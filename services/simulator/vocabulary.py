"""The lookup texts of this MLS in both languages, and the words its sentences are made of.

A lookup is written ``English=French; …``; a text without ``=`` is the same in both. Codes (the compact values) are
derived from the English text, so they stay the same when a lookup grows.
"""

from __future__ import annotations

import re

_LOOKUPS = {
    "AccessType": "Year-round access=Accès à l'année; Road access=Accès par la route; Water access=Accès par l'eau",
    "AmenitiesNearBy": "Park=Parc; Public Transit=Transport en commun; Schools=Écoles; "
    "Golf Nearby=Golf à proximité; Hospital=Hôpital; Ski area=Station de ski; Shopping=Magasins; Beach=Plage",
    "Amenities": "Air Conditioned=Climatisé; Exercise Centre=Centre de conditionnement; "
    "Laundry - In Suite=Buanderie dans l'unité; Storage - Locker=Casier de rangement; "
    "Party Room=Salle de réception; Guest Suite=Suite d'invités",
    "Amperage": "60 Amp; 100 Amp; 200 Amp; 400 Amp",
    "Appliances": "Dishwasher=Lave-vaisselle; Dryer=Sécheuse; Refrigerator=Réfrigérateur; Stove=Cuisinière; "
    "Washer=Laveuse; Microwave=Micro-ondes; Window Coverings=Couvre-fenêtres; Garburator=Broyeur à déchets; "
    "Central Vacuum - Roughed In=Aspirateur central - installation préliminaire; "
    "Oven/Cooktop=Four/Plaque de cuisson",
    "ArchitecturalStyle": "Bungalow=Plain-pied; Raised bungalow=Plain-pied surélevé; 2 Level=2 niveaux; Chalet; "
    "Cape Cod; Log house/cabin=Maison/cabane en rondins; Contemporary=Contemporain",
    "BasementDevelopment": "Finished=Aménagé; Unfinished=Non aménagé; Partially finished=Partiellement aménagé",
    "BasementFeatures": "Walk out=De plain-pied; Separate entrance=Entrée distincte; "
    "Apartment in basement=Logement au sous-sol; Slab=Dalle",
    "BasementType": "Full=Complet; Crawl space=Vide sanitaire; Partial=Partiel; None=Aucun; Cellar=Cave",
    "BusinessSubType": "Restaurant; Convenience store=Dépanneur; Hair salon=Salon de coiffure; Bakery=Boulangerie",
    "BusinessType": "Food Services and Beverage=Restauration et boissons; Personal Services=Services personnels; "
    "Retail and Wholesale=Commerce de détail et de gros; Hospitality=Hôtellerie",
    "CeilingType": "Unfinished=Non fini; Suspended=Suspendu; Vaulted=Voûté",
    "CommunicationType": "High Speed Internet=Internet haute vitesse; Cable=Câble; Fiber=Fibre optique; "
    "Wired for telephone=Câblé pour le téléphone",
    "CommunityFeatures": "Quiet Area=Secteur tranquille; School Bus=Autobus scolaire; "
    "Pets Allowed=Animaux acceptés; Community Centre=Centre communautaire; Family Oriented=Familial",
    "ConstructionMaterial": "Wood frame=Charpente de bois; Concrete block=Bloc de béton; "
    "Steel frame=Charpente d'acier; Poured concrete=Béton coulé; Concrete Walls=Murs de béton",
    "ConstructionStatus": "Under construction=En construction; Insulation upgraded=Isolation améliorée; "
    "To be built=À construire; New building=Construction neuve",
    "ConstructionStyleAttachment": "Detached=Détaché; Semi-detached=Jumelé; Attached=En rangée; Link=Lié; "
    "Stacked=Superposé",
    "ConstructionStyleOther": "Manufactured=Préfabriqué; Seasonal=Saisonnier; Modular=Modulaire",
    "ConstructionStyleSplitLevel": "Backsplit=Demi-niveaux arrière; Sidesplit=Demi-niveaux côté; "
    "Split level=Paliers multiples",
    "CoolingType": "Central air conditioning=Climatisation centrale; Wall unit=Climatiseur mural; None=Aucune; "
    "Heat Pump=Thermopompe; Air exchanger=Échangeur d'air",
    "Crop": "Hay=Foin; Corn=Maïs; Wheat=Blé; Soybeans=Soya; Vegetables=Légumes; Grapes=Raisin",
    "CurrentUse": "Residential=Résidentiel; Agricultural=Agricole; Commercial; Pasture=Pâturage; "
    "Recreational=Récréatif",
    "Designation": "FRI; CCIM; CRES; SRS; ABR",
    "Divisible": "Yes=Oui; No=Non",
    "DocumentType": "Survey=Certificat de localisation; Building Plans=Plans du bâtiment; Appraisal=Évaluation",
    "Easement": "Right of way=Droit de passage; Sub Surface Rights=Droits du sous-sol; None=Aucune; "
    "Flood Plain=Plaine inondable",
    "EquipmentType": "Water Heater=Chauffe-eau; Propane Tank=Réservoir de propane; Alarm System=Système d'alarme; "
    "None=Aucun",
    "ExteriorFinish": "Brick=Brique; Vinyl siding=Revêtement de vinyle; Stone=Pierre; Stucco=Stuc; "
    "Aluminum siding=Revêtement d'aluminium; Wood=Bois",
    "FarmType": "Cash Crop=Grande culture; Dairy=Laiterie; Mixed=Mixte; Orchard=Verger; Hobby Farm=Fermette",
    "Features": "Corner Site=Terrain d'angle; Level=Plat; Treed=Boisé; Private setting=Cadre privé; Balcony=Balcon; "
    "Wheelchair access=Accès pour fauteuil roulant; Paved driveway=Allée asphaltée; Cul-de-sac; "
    "Sump Pump=Pompe de puisard; Flat site=Terrain plat; No Pet Home=Sans animaux",
    "FenceType": "Fence=Clôture; Partially fenced=Partiellement clôturé; Fenced yard=Cour clôturée; "
    "Not fenced=Non clôturé",
    "FireplaceFuel": "Gas=Gaz; Wood=Bois; Electric=Électricité; Propane; Pellet=Granules",
    "FireplaceType": "Insert=Encastré; Woodstove=Poêle à bois; Free Standing Metal=Autoportant en métal; "
    "Conventional=Conventionnel",
    "FireProtection": "Smoke Detectors=Détecteurs de fumée; Alarm system=Système d'alarme; "
    "Sprinkler System-Fire=Gicleurs; Security system=Système de sécurité",
    "Fixture": "Ceiling fans=Ventilateurs de plafond; Drapes/Window coverings=Rideaux/Couvre-fenêtres; "
    "Chandelier=Lustre",
    "FlooringType": "Hardwood=Bois franc; Ceramic=Céramique; Laminate=Stratifié; Carpeted=Moquette; Vinyl=Vinyle; "
    "Tile=Tuile",
    "FoundationType": "Poured Concrete=Béton coulé; Block=Blocs; Stone=Pierre; Wood=Bois; Concrete Slab=Dalle de béton",
    "FrontsOn": "North=Nord; South=Sud; East=Est; West=Ouest",
    "HeatingFuel": "Natural gas=Gaz naturel; Electric=Électricité; Oil=Mazout; Propane; Geo Thermal=Géothermie; "
    "Wood=Bois",
    "HeatingType": "Forced air=Air pulsé; Baseboard heaters=Plinthes chauffantes; Radiant heat=Chaleur radiante; "
    "Heat Pump=Thermopompe; Hot water radiator heat=Radiateurs à eau chaude; Hot Water/Boiler=Eau chaude/Chaudière",
    "IrrigationType": "Pivot; Drip=Goutte à goutte; Ditch=Fossé",
    "LandDisposition": "Cleared=Défriché; Fenced=Clôturé; Drained=Drainé; Subdivided=Loti",
    "LandscapeFeatures": "Landscaped=Paysagé; Garden Area=Jardin; Lawn=Pelouse; Fruit trees=Arbres fruitiers",
    "LeasePerTime": "Monthly=Mensuel; Yearly=Annuel; Weekly=Hebdomadaire",
    "LeasePerUnit": "square feet=pieds carrés; square meter=mètre carré; Unit=Unité",
    "LeaseType": "Net; Gross=Brut; Triple Net; Semi-Gross=Semi-brut",
    "LeaseTermRemainingFreq": "Months=Mois; Years=Années",
    "LiveStockType": "Dairy=Laitier; Beef=Bovin; Poultry=Volaille; Horses=Chevaux; Sheep=Moutons",
    "LoadingType": "Truck level=Niveau camion; Dock=Quai; Drive in=Accès direct; None=Aucun",
    "Machinery": "Tractor=Tracteur; Baler=Presse à foin; Combine=Moissonneuse-batteuse; None=Aucune",
    "MaintenanceFeePaymentUnit": "Monthly=Mensuel; Yearly=Annuel; Quarterly=Trimestriel",
    "MaintenanceFeeType": "Heat=Chauffage; Water=Eau; Insurance=Assurance; Parking=Stationnement; "
    "Common Area Maintenance=Entretien des aires communes; Cable TV/Internet=Câblodistribution/Internet",
    "MeasureUnit": "sqft=pi2; sqm=m2; ac; ft=pi; m; hec=ha",
    "OwnershipType": "Freehold=Propriété absolue; Condominium/Strata=Copropriété; Leasehold=Bail; "
    "Cooperative=Coopérative; Undivided Co-ownership=Copropriété indivise",
    "ParkingName": "Attached garage=Garage attenant; Detached Garage=Garage détaché; Carport=Abri d'auto; "
    "Underground=Souterrain; Gravel=Gravier; Street=Rue; Visitor Parking=Stationnement pour visiteurs",
    "PoolFeatures": "Heated=Chauffée; Salt Water=Eau salée; Fenced=Clôturée",
    "PoolType": "Inground pool=Piscine creusée; Above ground pool=Piscine hors terre; "
    "Indoor pool=Piscine intérieure; On Ground Pool=Piscine sur le sol",
    "PricePerTime": "Yearly=Annuel; Monthly=Mensuel",
    "PricePerUnit": "Acre; square feet=pieds carrés; Hectare",
    "PropertyType": "Single Family=Unifamiliale; Agriculture; Vacant Land=Terrain vacant; Business=Entreprise; "
    "Multi-family=Multifamiliale; Retail=Commerce de détail; Industrial=Industriel; Office=Bureau",
    "RentalEquipmentType": "Furnace=Fournaise; Water Heater=Chauffe-eau; Propane Tank=Réservoir de propane; "
    "Heat Pump=Thermopompe",
    "RightType": "Water Rights=Droits d'eau; Mineral=Miniers; Timber=Forestiers",
    "RoadType": "Paved road=Chemin pavé; Gravel road=Chemin de gravier; No thru road=Sans issue",
    "RoofMaterial": "Asphalt shingle=Bardeaux d'asphalte; Metal=Métal; Tile=Tuiles; Cedar Shake=Bardeaux de cèdre",
    "RoofStyle": "Conventional=Conventionnel; Flat=Plat; Gambrel=Mansardé; Mansard=À la Mansart",
    "RoomLevel": "Main level=Rez-de-chaussée; Second level=Deuxième étage; Basement=Sous-sol; "
    "Third level=Troisième étage; Lower level=Niveau inférieur; Upper Level=Étage",
    "RoomType": "Primary Bedroom=Chambre principale; Bedroom=Chambre; Kitchen=Cuisine; Living room=Salon; "
    "Dining room=Salle à manger; Family room=Salle familiale; 4pc Bathroom=Salle de bains 4 pièces; Den=Bureau; "
    "Foyer=Hall; Laundry room=Buanderie; Recreational, Games room=Salle de jeux; Great room=Grande salle; "
    "Other=Autre",
    "Sewer": "Municipal sewage system=Égout municipal; Septic System=Fosse septique; "
    "Holding Tank=Réservoir de rétention; Septic Field=Champ d'épuration; No sewage system=Aucun égout",
    "SignType": "Fascia; Pylon=Pylône; Awning=Auvent",
    "SoilEvaluation": "Grade 1; Grade 2; Grade 3",
    "SoilType": "Clay=Argile; Sand=Sable; Loam=Limon; Mixed soil=Sol mixte; Rocky=Rocheux",
    "StorageType": "Storage Shed=Remise; Locker=Casier; Outside Storage=Rangement extérieur; "
    "Feed Storage=Silo à grains",
    "StoreFront": "Street Front=Façade sur rue; Mall Front=Façade sur mail; Display Window=Vitrine",
    "Structure": "Deck=Terrasse; Patio(s)=Patio; Shed=Cabanon; Barn=Grange; Greenhouse=Serre; Porch=Porche; "
    "Workshop=Atelier",
    "SurfaceWater": "Pond=Étang; Creek or Stream=Ruisseau; Creeks=Ruisseaux; Lake/Pond=Lac/Étang",
    "TopographyType": "Level=Plat; Rolling=Vallonné; Hilly=Accidenté; Wooded area=Secteur boisé",
    "TransactionType": "For sale=À vendre; For rent=À louer; For lease=À bail; For sale or rent=À vendre ou à louer",
    "BuildingType": "House=Maison; Apartment=Appartement; Row / Townhouse=Maison de ville; Duplex; Triplex; "
    "Mobile Home=Maison mobile; Recreational=Récréatif; Commercial Mix=Commercial mixte; Offices=Bureaux",
    "Uffi": "No=Non; Yes=Oui; Removed=Enlevée",
    "UnitType": "Studio; 1 Bedroom=1 chambre; 2 Bedroom=2 chambres; Loft",
    "UtilityDescription": "Available=Disponible; Connected=Raccordé; At Lot Line=À la limite du terrain",
    "UtilityPower": "Single Phase=Monophasé; Three Phase=Triphasé; DC to DC=CC à CC",
    "UtilityType": "Water=Eau; Sewer=Égout; Natural Gas=Gaz naturel; Electricity=Électricité; Cable=Câble; "
    "Telephone=Téléphone; DSL*=LNPA*",
    "UtilityWater": "Municipal water=Aqueduc municipal; Drilled Well=Puits foré; Dug Well=Puits creusé; Well=Puits; "
    "Lake/River Water Intake=Prise d'eau dans un lac ou une rivière",
    "ViewType": "View=Vue; Mountain view=Vue sur la montagne; Lake view=Vue sur le lac; City view=Vue sur la ville; "
    "River view=Vue sur la rivière; View of water=Vue sur l'eau",
    "WaterFrontType": "Waterfront on river=Au bord d'une rivière; Waterfront on lake=Au bord d'un lac; "
    "Waterfront on ocean=Au bord de l'océan; Waterfront on canal=Au bord d'un canal; "
    "Deeded water access=Accès notarié à l'eau",
    "ZoningType": "Residential=Résidentiel; Commercial; Agricultural=Agricole; Industrial=Industriel; "
    "Multi-Family=Multifamilial",
    "Rating": "Gold=Or; Silver=Argent; Platinum=Platine; Certified=Certifié",
}

Text = tuple[str, str]


def _parse(source: str) -> list[Text]:
    pairs = []
    for item in source.split("; "):
        english, _, french = item.partition("=")
        pairs.append((english, french or english))
    return pairs


LOOKUPS: dict[str, list[Text]] = {name: _parse(source) for name, source in _LOOKUPS.items()}
CULTURES = ("en-CA", "fr-CA")

SENTENCES: list[Text] = [
    ("Bright and welcoming home close to everything.", "Demeure lumineuse et accueillante, près de tout."),
    ("Open-concept main floor with a chef's kitchen & large island.", "Aire ouverte, cuisine de chef & grand îlot."),
    ("Steps to Café Élysée and the Saint-André market.", "À deux pas du Café Élysée et du marché Saint-André."),
    ("The yard is <b>huge</b>: 5 > 3 neighbours agree!", "La cour est <b>immense</b> : 5 > 3 voisins sont d'accord !"),
    ("New roof (2019), furnace (2021) and windows.", "Toiture (2019), fournaise (2021) et fenêtres récentes."),
    ('"Move-in ready" – nothing to do but enjoy.', "« Clé en main » – il ne reste qu'à en profiter."),
    ("Quiet dead-end street, mature trees.", "Rue sans issue tranquille, arbres matures."),
    ("Lower level has a separate entrance.", "Le niveau inférieur a une entrée distincte."),
    ("Minutes to Highway 401; sleeps 8 comfortably.", "À quelques minutes de l'autoroute 401; 8 personnes."),
    ("Heated floors throughout, cozy in winter.", "Planchers chauffants partout, douillet l'hiver."),
    ("Call today for your private showing.", "Appelez dès aujourd'hui pour une visite privée."),
    ("A must see 🏡", "À voir absolument 🏡"),
]

STREETS = (
    "Maple",
    "King",
    "Wellington",
    "Chemin du Lac",
    "Côte-des-Neiges",
    "Lakeshore",
    "Victoria",
    "Saint-Élie",
    "Elgin",
)
SUFFIXES = ("Street", "Avenue", "Road", "Drive", "Crescent", "Boulevard", "Court")
DIRECTIONS = ("N", "S", "E", "W")
# City, province, latitude, longitude, first half of the postal code, board.
CITIES = (
    ("Fort Erie", "Ontario", 42.90012, -78.93281, "L2A", "27"),
    ("Toronto", "Ontario", 43.65107, -79.34701, "M5V", "82"),
    ("Ottawa", "Ontario", 45.42153, -75.69719, "K1N", "76"),
    ("Montréal", "Quebec", 45.50884, -73.58781, "H2X", "60"),
    ("Trois-Rivières", "Quebec", 46.34325, -72.54322, "G9A", "60"),
    ("L'Île-Perrot", "Quebec", 45.38336, -73.93246, "J7V", "60"),
    ("Calgary", "Alberta", 51.04861, -114.07084, "T2P", "9"),
    ("Saskatoon", "Saskatchewan", 52.13321, -106.67004, "S7J", "81"),
    ("Winnipeg", "Manitoba", 49.89514, -97.13837, "R3C", "11"),
    ("Halifax", "Nova Scotia", 44.64554, -63.57239, "B3J", "3"),
    ("Moncton", "New Brunswick", 46.08781, -64.77825, "E1C", "16"),
    ("Kelowna", "British Columbia", 49.88801, -119.49601, "V1Y", "5"),
    ("St. John's", "Newfoundland & Labrador", 47.56154, -52.71258, "A1C", "44"),
)
FIRST_NAMES = (
    "Dana",
    "René",
    "Amélie",
    "Priya",
    "Wei",
    "John",
    "Siobhán",
    "Zoë",
    "Marc-André",
    "Fatima",
    "Oleh",
    "Noor",
)
LAST_NAMES = (
    "Example",
    "O'Brien",
    "Tremblay",
    "Nguyễn",
    "Singh",
    "MacDonald",
    "Côté",
    "Smith-Jones",
    "Łukasz",
    "Gagné",
)
FIRMS = (
    "Example Realty",
    "Northern Lights Homes",
    "Immobilière Québécoise",
    "Smith & Daughters",
    "Harbour <One>",
    "Prairie Co-op",
)

# Free texts, by the element they appear in.
TEXTS: dict[str, tuple[str, ...]] = {
    "Age": ("0-5 Years", "6-15 Years", "31-50 Years", "100+ Years"),
    "Anchor": ("Example Grocer", "Épicerie Métropole"),
    "AdditionalStreetInfo": ("Rear unit", "Lot 4, Phase 2"),
    "AddressLine2": ("R.R. #2", "Unit B"),
    "BoxNumber": ("PO Box 112", "C.P. 45"),
    "CeilingHeight": ("9 ft", "2.74 m", "8.5 ft"),
    "ClearCeilingHeight": ("18 ft", "5.5 m", "22 ft"),
    "BusinessName": ("The Corner Bakery", "Chez André"),
    "CommunityName": ("Old East Village", "Sandy Hill", "Vieux-Port"),
    "Description": ("Fully equipped", "With walk-in closet", "Porte-fenêtre"),
    "EducationCredentials": ("FRI", "MBA, CCIM", "B.A."),
    "EstablishedDate": ("1987", "2001-05-01"),
    "LocationDescription": ("Off Hwy 9, north of the river", "Coin Saint-Denis & Rachel", "Take exit 42 <east>"),
    "ManagementCompany": ("Example Property Mgmt", "Gestion Immobilière du Nord"),
    "Neighbourhood": ("Riverside", "Le Plateau", "Downtown"),
    "OpenHouseComments": ("Refreshments served", "Stationnement à l'arrière", "By appointment & registration"),
    "OperatingSince": ("1995", "2010"),
    "Plan": ("0712345", "M-1187", "9012345"),
    "Position": ("Salesperson", "Broker", "Courtier immobilier agréé"),
    "SizeTotalText": ("under 1/2 acre", "0.50 - 1.99 acres", "50 x 120 FT|under 1/2 acre", "10-24.99 acres"),
    "SizeIrregular": ("50x120x48x121", "Pie shaped", "Irrégulier"),
    "Specialty": ("Waterfront", "First-time buyers", "Terres agricoles"),
    "Subdivision": ("Maple Heights", "Phase 3", "Domaine-du-Parc"),
    "TradingArea": ("Downtown", "Niagara", "Rive-Sud"),
    "Language": ("English", "French", "Punjabi", "Mandarin"),
    "VacancyRate": ("2", "3.5"),
    "WaterFrontName": ("Example River", "Lac-des-Écorces", "Lake Erie"),
    "ZoningDescription": ("R1A", "C2-1 (mixed)", "Résidentielle 3"),
    "EnerguideRating": ("82", "A+"),
    "MunicipalId": ("190405", "37-07-010"),
    "PhotoDescription": ("Front view", "Kitchen", "Vue arrière"),
    "ConstructedDate": ("1898", "1955", "1974", "1998", "2012", "2024"),
    "RenovatedDate": ("2015", "2021-06"),
    "LeaseTermRemaining": ("24", "36", "7"),
    "AdditionalInformationIndicator": ("Y", "N", "1"),
    "UnitNumber": ("4", "1203", "PH-2", "B"),
    "LeedsCategory": ("New Construction", "Existing Building"),
    "OfficeDesignation": ("Brokerage", "Agence immobilière"),
    "Franchisor": ("Example Franchise Inc.", "Réseau Québec"),
}


def code_of(english: str) -> str:
    """The compact value of a lookup text, stable whatever else the lookup holds."""
    return re.sub(r"[^A-Za-z0-9]+", "", english.title()) or "X"
